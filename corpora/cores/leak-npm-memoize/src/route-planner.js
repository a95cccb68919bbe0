'use strict';

const memoize = require('lodash.memoize');

class Route {
  constructor(from, to) {
    this.points = [];
    for (let i = 0; i <= 8; i++) this.points.push({ x: from.x + ((to.x - from.x) * i) / 8, y: from.y + ((to.y - from.y) * i) / 8 });
    this.length = Math.hypot(to.x - from.x, to.y - from.y);
  }
}

const keyOf = (from, to) => `${from.x.toFixed(2)},${from.y.toFixed(2)}>${to.x},${to.y}`;

// The leak: the robot's position is hardly ever the same twice, and lodash.memoize forgets nothing.
const planRoute = memoize((from, to) => new Route(from, to), keyOf);

module.exports = { Route, planRoute };
