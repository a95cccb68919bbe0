'use strict';

const { readOrders } = require('./orders');

// All of it is local to this call: when it returns, all of it is free.
function monthlyReport(count, onMonth) {
  const orders = readOrders(count);
  const byCustomer = groupBy(orders, (order) => order.customer);
  const byMonth = groupBy(orders, (order) => order.month);
  const report = [];
  for (let month = 1; month <= 12; month++) {
    const turnover = sum(byMonth.get(month));
    report.push({ month, turnover, customers: byCustomer.size });
    onMonth(month, turnover);
  }
  return report;
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

const sum = (orders) => orders.reduce((total, { lines }) => total + lines.reduce((all, line) => all + line.price * line.pieces, 0), 0);

module.exports = { monthlyReport };
