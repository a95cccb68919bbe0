'use strict';

// Fills the heap with LIVE_MB megabytes of what services keep: records in maps, arrays, strings, closures, and a linked list of a
// million links. Then the process aborts; with SNAPSHOT it writes one before. Everything stays reachable.
const v8 = require('v8');

const target = Number(process.env.LIVE_MB) * 1e6;
const sessions = new Map();
const byUser = {};
const handlers = [];
const series = [];

class Session {
  constructor(id) {
    this.id = id;
    this.user = `user-${id % 5000}`;
    this.created = new Date(1700000000000 + id);
    this.cart = [{ sku: `sku-${id % 997}`, amount: id % 7, price: id * 0.37 }];
    this.tags = new Set([id % 3, id % 11]);
  }
}

class Link {
  constructor(next, value) {
    this.next = next;
    this.value = value;
  }
}

let head = null;
for (let i = 0; i < 1e6; i++) head = new Link(head, i);

for (let id = 0; ; id++) {
  const session = new Session(id);
  sessions.set(`sess:${id}`, session);
  if (id % 4 === 0) (byUser[session.user] ||= []).push(session);
  if (id % 16 === 0) handlers.push(() => session.cart.length);
  if (id % 64 === 0) series.push(Array.from({ length: 32 }, (_, k) => k * 0.5 + id));
  if (id % 5000 === 0 && v8.getHeapStatistics().used_heap_size >= target) break;
}

global.keep = { sessions, byUser, handlers, series, head };
if (process.env.SNAPSHOT) v8.writeHeapSnapshot(process.env.SNAPSHOT);
process.abort();
