'use strict';

const { parentPort } = require('worker_threads');

class RenderedPage {
  constructor(id, html) {
    this.id = id;
    this.html = html;
  }
}

const history = [];
parentPort.on('message', ({ id, template }) => {
  history.push(new RenderedPage(id, Buffer.from(`<p>${template} ${id}</p>`).toString('base64')));
});
