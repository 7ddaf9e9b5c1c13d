// Moment loads a locale when it is asked for; in one file they have to be there. English stays the default.
const moment = require('moment/moment.js');
require('moment/locale/ko.js');
require('moment/locale/ja.js');
require('moment/locale/zh-cn.js');
require('moment/locale/zh-tw.js');
moment.locale('en');
module.exports = moment;
