'use strict';
// A native addon finds its data damaged and calls napi_fatal_error().
const stock = require('./stock.node');
function recount() { stock.check(); }
setTimeout(recount, 5);
