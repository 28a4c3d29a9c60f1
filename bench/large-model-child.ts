import { readFileSync } from 'node:fs'
import { openModel, parseModelKey, sealModel } from '../src/weights/index.ts'

/** Seals or opens a folder, and prints the highest resident memory of this process, in KiB. */
const [mode, input, output, keyFile] = process.argv.slice(2)
if (input === undefined || output === undefined || keyFile === undefined) throw new TypeError('four arguments')
const key = parseModelKey(readFileSync(keyFile))
if (!key.ok) throw new TypeError(JSON.stringify(key.faults))
const how = { input, output, key: key.value }
const done = mode === 'seal' ? await sealModel(how) : await openModel({ ...how, plainTensors: 'refuse' })
if (!done.ok) throw new TypeError(JSON.stringify(done.faults))
console.log(process.resourceUsage().maxRSS)
