'use strict';

// Price lists of suppliers are read again and again; of each only the first line is remembered. After FEEDS lists V8
// writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { FeedReader } = require('./src/feed-reader');

const FEEDS = Number(process.env.FEEDS ?? 150);

const reader = new FeedReader();

function night(number) {
  reader.read(`supplier-${number}`);
  if (number < FEEDS) return setImmediate(night, number + 1);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

night(1);
