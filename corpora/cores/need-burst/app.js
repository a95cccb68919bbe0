'use strict';

// A service in a burst of requests: 1,000 of them wait for a slow backend (20 s) when the process is aborted.
const { handle, inFlight } = require('./src/service');

for (let i = 0; i < 1500; i++) {
  const rows = Array.from({ length: 150 }, (_, k) => ({ k, text: `row ${k} of request ${i}` }));
  handle({ id: i, rows });
}
setTimeout(() => {
  if (inFlight() >= 1000) process.abort();
}, 300);
