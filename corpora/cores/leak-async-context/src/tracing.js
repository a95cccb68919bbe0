'use strict';

const { AsyncLocalStorage } = require('async_hooks');

const currentSpan = new AsyncLocalStorage();
let lastId = 0;

class Span {
  constructor(name, parent) {
    this.id = (++lastId * 2_654_435_761) % 4_294_967_296;
    this.name = name;
    this.parent = parent;
    this.attributes = { component: 'worker', attempt: lastId, queue: `queue-${lastId % 5}` };
    this.events = [];
  }

  event(name, value) {
    this.events.push({ name, value });
  }
}

function inSpan(name, work) {
  const span = new Span(name, currentSpan.getStore());
  return currentSpan.run(span, () => work(span));
}

module.exports = { Span, inSpan };
