import { parentPort, workerData } from 'node:worker_threads'
import { tpmCollector } from '../../../src/collect/index.ts'

const collector = tpmCollector({ tcti: String(workerData), ak: { create: 'ecc' }, bank: 'sha256', registers: [0] })
const collected = await collector.collect({ nonce: new Uint8Array(64), key: undefined, binding: 'raw' }, [])
parentPort?.postMessage(collected.ok ? 'quoted' : collected.faults[0].code)
