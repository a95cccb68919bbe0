'use strict';

// Pictures are to be fetched, four at a time, and their server hangs. After PICTURES pictures V8 writes its snapshot and
// the process aborts at once.
const v8 = require('v8');
const { PictureFetcher } = require('./src/picture-fetcher');

const PICTURES = Number(process.env.PICTURES ?? 30_000);

const fetcher = new PictureFetcher();

async function crawl() {
  while (fetcher.asked < PICTURES) {
    for (let i = 0; i < 500; i++) fetcher.fetch(fetcher.asked);
    await null;
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

crawl();
