const { PriceFeed } = require('./src/price-feed');
const { handle } = require('./src/handler');
const feed = new PriceFeed();
let n = 0;
(function loop() { for (let i = 0; i < 100; i++) handle(feed, { id: n++, symbol: 'S' + (n % 50) }); setImmediate(loop); })();
