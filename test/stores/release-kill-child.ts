// Releases keys until it is killed, and says so only when the release is written and anchored.
import { writeSync } from 'node:fs'
import { take } from '../../src/core/outcome.ts'
import { fileAnchor } from '../../src/release/audit/index.ts'
import { openReleaseStore } from './open-store.ts'
import { keyRow, NAME, record, writeKey } from './release-rows.ts'

const [place = '', anchorFile = '', run = ''] = process.argv.slice(2)
const store = await openReleaseStore(place)
const anchor = fileAnchor(anchorFile)
const WORKERS = 8
let anchored = take(await anchor.read()).sequence

// One key for each run; every challenge is answered twice at once.
const name = { ...NAME, keyId: run }
await store.transact(name, writeKey(keyRow(1, name)))

let settling: Promise<void> = Promise.resolve()
function settle(): Promise<void> {
  settling = settling.then(async () => {
    const head = await store.auditHead()
    if (head.sequence > anchored) await anchor.write(head)
    anchored = Math.max(anchored, head.sequence)
  })
  return settling
}

async function work(worker: number): Promise<never> {
  for (let n = 0; ; n++) {
    const id = `${run}-${worker}-${n}`
    writeSync(1, `asked ${id}\n`)
    const to = { ...name, lease: `lease-${n % 5}`, hardware: [`cpu:${worker}`, `nvidia-gpu:${n}`] }
    const answers = await Promise.allSettled([1, 2].map(() => record(store, id, to)))
    if (answers.filter((a) => a.status === 'fulfilled').length !== 1) writeSync(1, `twice ${id}\n`)
    await settle()
    writeSync(1, `released ${id}\n`)
  }
}
await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(i)))
