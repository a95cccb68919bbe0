'use strict';

// A payment service; one payment in four is refused. After PAYMENTS payments V8 writes its snapshot and the process
// aborts at once.
const v8 = require('v8');
const { PaymentService } = require('./src/payment-service');

const PAYMENTS = Number(process.env.PAYMENTS ?? 48_000);

async function main() {
  const service = new PaymentService();
  for (let n = 0; n < PAYMENTS; n++) await service.pay({ number: n, amount: 10 + (n % 90), card: `card-${n % 7_000}` });
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
