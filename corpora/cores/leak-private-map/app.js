'use strict';

// A mail service that renders templates. It sends MAILS mails; then V8 writes its snapshot and the process aborts at
// once.
const v8 = require('v8');
const { MailService } = require('./src/mail-service');

const MAILS = Number(process.env.MAILS ?? 16_000);

async function main() {
  const service = new MailService();
  for (let n = 1; n <= MAILS; n++) {
    await service.send({ to: `customer-${n % 3_000}@example.com`, campaign: n % 12, order: n });
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
