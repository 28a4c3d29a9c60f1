// Keeps answers of two files each until it is killed, some over and over, and says so only after the cache did.
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'

const [path = '', run = ''] = process.argv.slice(2)
const cache = new CollateralCache(path)
const bytes = (text: string): Uint8Array =>
  new Uint8Array(Buffer.concat(Array.from({ length: 40 }, () => createHash('sha512').update(text).digest())))

async function work(worker: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = n % 3 === 0 ? `shared/${worker}` : `own/${run}/${worker}/${n}`
    await cache.keep({
      key,
      files: [
        { name: 'a', bytes: bytes(`${run} ${worker} ${n}`) },
        { name: 'b', bytes: bytes(`chain ${worker}`) },
      ],
      fetchedAt: n,
      issuedAt: 0,
      validUntil: 1000,
      line: `line/${worker}`,
      evaluationNumber: n,
      sequenceNumber: undefined,
    })
    writeSync(1, `${key}\n`)
  }
}
await Promise.all([0, 1, 2, 3].map(work))
