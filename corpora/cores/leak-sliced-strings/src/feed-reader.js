'use strict';

const { catalog, metrics, recent } = require('./platform');
const { download } = require('./feed');

// The first line of each supplier's list. The leak: V8 makes the line a slice of the whole text and keeps the text.
const titles = new Map();

class FeedReader {
  read(supplier) {
    const text = download(supplier, catalog).toString('latin1');
    const title = text.slice(0, text.indexOf('\n'));
    titles.set(supplier, title);
    let lines = 0;
    for (let at = 0; (at = text.indexOf('\n', at) + 1) > 0; ) lines++;
    recent.push({ supplier, lines });
    metrics.observe('feed', lines);
  }
}

module.exports = { FeedReader };
