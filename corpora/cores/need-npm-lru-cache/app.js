'use strict';

// A shop that looks 60,000 products up; then the process aborts.
const { lookup } = require('./src/products');

let next = 0;
(function serve() {
  for (let i = 0; i < 500; i++) lookup('/p/' + next++);
  if (next < 60000) setImmediate(serve);
  else process.abort();
})();
