const { Registry } = require('./registry'); const { Tracker } = require('./tracker');
const registry = new Registry(); const t = new Tracker(registry); let n = 0;
(function loop() { for (let i = 0; i < 300; i++) t.visit({ session: 's' + n++, url: '/p/' + n % 20 }); setImmediate(loop); })();
