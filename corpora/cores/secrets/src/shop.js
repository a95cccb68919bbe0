'use strict';

const { Account } = require('account.js');

const accounts = new Map();      // by a key that is data
const byMail = Object.create(null);
const journal = [];
const secretToken = 'SEKRETH301-value-of-a-variable';

exports.fill = function fill(count) {
  for (let id = 0; id < count; id++) {
    const account = new Account(id);
    accounts.set(`KONTENT302 key ${id} token=SEKRETH303`, account);
    byMail[`PLANTED304-${id}@shop.PLANTED305.com`] = account;
    if (id % 100 === 0) {
      byMail[`KONTENT306 ${id}`] = { [`KONTENT307/${id}`]: id, text: 'x'.repeat(40) };
      journal.push(new Error(`KONTENT308 cannot reach db.PLANTED309.internal from 10.77.3.9, password=SEKRETH310`));
      journal.push(new RegExp(`KONTENT311|${id}`), Symbol(`KONTENT312 ${id}`));
      journal.push(`Authorization: Bearer SEKRETH313abcdefgh ${id}`);
      journal.push(`mail PLANTED314@mail.PLANTED314.org, mac 02:77:00:aa:bb:cc, file /home/PLANTEDBOB/x.txt ${id}`);
    }
  }
  for (let i = 0; i < 500; i++) journal.push(Buffer.from(`KONTENT315 ${i} `.repeat(4)).toString());
};

exports['KONTENT316 named with data'] = function () { return secretToken; };

exports.checkout = function checkout(what, credentials) {
  const handlers = { [`token=SEKRETX317`]: (order) => fail(order, credentials) };
  handlers['token=SEKRETX317'](what);
};

function fail(order, credentials) {
  const error = new Error(`KONTENT321 for ${order}: getaddrinfo ENOTFOUND db.PLANTED322.internal, password=SEKRETH323`);
  error.code = 'ENOTFOUND';
  error.credentials = credentials;
  throw error;
}
