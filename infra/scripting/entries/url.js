const URL = require('core-js-pure/stable/url');
const URLSearchParams = require('core-js-pure/stable/url-search-params');
module.exports = { ...require('url/'), URL, URLSearchParams };
