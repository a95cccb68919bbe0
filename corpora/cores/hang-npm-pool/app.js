// Both connections of the pool are in use and never come back; everybody else waits for one.
const genericPool = require('generic-pool');

const factory = {
    create: async () => ({ open: true }),
    destroy: async () => {},
};
const pool = genericPool.createPool(factory, { max: 2 });
const unanswered = [];

class ReportService {
    async run(id) {
        const connection = await pool.acquire();
        return this.query(connection, id);
    }

    async query(connection) {
        const rows = await new Promise((resolve) => unanswered.push(resolve));
        await pool.release(connection);
        return rows;
    }
}

const reports = new ReportService();
for (let id = 0; id < 50; id++) reports.run(id);
setInterval(function heartbeat() {}, 10000);
setTimeout(() => console.log('ready'), 300);
