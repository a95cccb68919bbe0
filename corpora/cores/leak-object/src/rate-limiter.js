'use strict';

class Window {
  constructor(start) {
    this.start = start;
    this.count = 0;
    this.blockedUntil = null;
    this.attempts = [];
  }
}

// Attempts by address, all addresses there ever were: this is the leak.
const windows = {};

function attempt(address, now) {
  const window = windows[address] ?? open(address, now);
  if (now - window.start > 60_000) {
    window.start = now;
    window.count = 0;
    window.attempts.length = 0;
  }
  window.count++;
  window.attempts.push(now);
  return window.count <= 20;
}

function open(address, now) {
  return (windows[address] = new Window(now));
}

module.exports = { attempt };
