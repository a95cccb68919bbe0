'use strict';

// A service with sessions that expire after a day. People sign in and out, SESSIONS times; then V8 writes its snapshot
// and the process aborts at once.
const v8 = require('v8');
const { SessionService } = require('./src/session-service');

const SESSIONS = Number(process.env.SESSIONS ?? 15_000);

const service = new SessionService();

function minute() {
  for (let i = 0; i < 250; i++) {
    const session = service.signIn(`user-${service.opened % 5_000}`);
    session.visit('/cart');
    service.signOut(session);
  }
  if (service.opened < SESSIONS) return setTimeout(minute, 1);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

minute();
