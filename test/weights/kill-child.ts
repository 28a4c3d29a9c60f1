// Seals or opens a model until it is done or killed, and says when it begins.
import { writeSync } from 'node:fs'
import { openModel, readKeyFile, rewrapModel, sealModel } from '../../src/weights/index.ts'

const [action, input = '', output = '', keyFile = '', nextFile = ''] = process.argv.slice(2)
const key = await readKeyFile(keyFile)
const next = await readKeyFile(nextFile === '' ? keyFile : nextFile)
if (!key.ok || !next.ok) throw new TypeError('no key')
writeSync(1, 'begun\n')
const outcome =
  action === 'seal'
    ? await sealModel({ input, output, key: key.value })
    : action === 'open'
      ? await openModel({ input, output, key: key.value, plainTensors: 'refuse' })
      : await rewrapModel({ input, from: key.value, to: next.value })
if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
