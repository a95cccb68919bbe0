'use strict';

const { catalog, metrics, recent } = require('./platform');
const { Row } = require('./rows');

const REPORTS = Array.from({ length: 24 }, (_, i) => `report-${String.fromCharCode(97 + i)}`);

// One renderer for each report: there are 24, and never more.
const renderers = {};

// The leak: a renderer needs only `total`, but it shares its scope with `best`, and so it keeps `rows`.
function compileReport(name) {
  const rows = [];
  for (let day = 0; day < 8_000; day++) rows.push(new Row(name, day, catalog.at(day * 31 + name.charCodeAt(7))));
  const best = () => rows.reduce((a, b) => (a.turnover > b.turnover ? a : b));
  const total = rows.reduce((sum, row) => sum + row.turnover, 0);
  metrics.observe(`compiled.${name}`, best().turnover);
  return ({ user }) => `${name} for ${user}: ${total.toFixed(2)}`;
}

function show(name, viewer) {
  const render = (renderers[name] ??= compileReport(name));
  recent.push(name);
  return render(viewer);
}

module.exports = { REPORTS, show };
