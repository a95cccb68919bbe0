'use strict';

// A shop's search. Two worker threads index the same stream of products; one of them never forgets the postings of
// products that were replaced. When it has POSTINGS of them, its heap is written as a snapshot and the process aborts.
const fs = require('fs');
const path = require('path');
const { Worker } = require('worker_threads');

const POSTINGS = Number(process.env.POSTINGS ?? 120_000);

function startIndexer(shard, forgets) {
  const worker = new Worker(path.join(__dirname, 'src', 'indexer.js'), {
    name: `indexer-${shard}`,
    workerData: { shard, forgets, limit: POSTINGS },
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
  worker.on('message', (message) => {
    if (message === 'full') end(worker);
  });
  return worker;
}

const indexers = [startIndexer(1, true), startIndexer(2, false)];
let revision = 0;

const feed = setInterval(() => {
  for (let i = 0; i < 200; i++) {
    revision++;
    const product = { id: revision % 500, revision, text: `water proof hiking boot ${revision}` };
    for (const indexer of indexers) indexer.postMessage(product);
  }
}, 5);

async function end(worker) {
  clearInterval(feed);
  const snapshot = await worker.getHeapSnapshot();
  snapshot.pipe(fs.createWriteStream('heap.heapsnapshot')).on('finish', () => process.abort());
}
