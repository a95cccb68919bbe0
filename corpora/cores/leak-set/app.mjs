// A consumer of order events that arrive at least once. It reads MESSAGES of them; then V8 writes its snapshot and the
// process aborts at once.
import v8 from 'node:v8';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Consumer } from './src/consumer.mjs';
import { messages } from './src/broker.mjs';

const MESSAGES = Number(process.env.MESSAGES ?? 200_000);

const consumer = new Consumer();

async function consume() {
  for await (const raw of messages()) {
    consumer.receive(raw);
    if (consumer.received % 1_000 === 0) await nextTurn();
    if (consumer.received === MESSAGES) break;
  }
}

await consume();
v8.writeHeapSnapshot('heap.heapsnapshot');
process.abort();
