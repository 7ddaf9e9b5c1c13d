// All zones with their rules from 1970 to 2030: the whole history of the world is five times as large.
module.exports = require('moment-timezone/builds/moment-timezone-with-data-1970-2030.js');
