const { Broker } = require('./src/broker');
const b = new Broker(); let n = 0;
(async () => { for (;;) { for (let i = 0; i < 50; i++) { const it = b.subscribe('topic-' + (n++ % 10))[Symbol.asyncIterator](); it.next(); } b.publish('topic-1', { n }); await new Promise(setImmediate); } })();
