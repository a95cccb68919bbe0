'use strict';

// The model of a plant: devices, their schedules and texts. All of it has a fixed size.
const { DeviceRegistry } = require('./devices');
const { Schedule } = require('./schedule');
const { Alarms } = require('./alarms');
const texts = require('./texts');

const devices = new DeviceRegistry(2_500);
const schedule = new Schedule(devices);
const alarms = new Alarms(200);

module.exports = { alarms, devices, schedule, texts };
