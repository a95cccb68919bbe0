'use strict';

const { render } = require('./backend');

let running = 0;

async function handle(request) {
  running++;
  try {
    return { id: request.id, html: await render(request.rows) };
  } finally {
    running--;
  }
}

module.exports = { handle, inFlight: () => running };
