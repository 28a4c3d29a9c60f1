import { access, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Code } from '../core/codes.ts'
import { UsageError } from './input.ts'

/** One piece of evidence and what must come out when it is judged. */
export interface FixtureCase {
  readonly id: string
  readonly title: string
  /** path within the folder, as all of them */
  readonly evidence: string
  readonly verdict: 'accept' | 'reject'
  /** codes of the findings, each once, in the order of the decision */
  readonly codes: readonly Code[]
}

/** An auction, and what must come out of it. */
export interface FixtureBids {
  /** of the bids, with their orders and providers */
  readonly folder: string
  /** what a gate's store knows of the providers: `{ postures }` */
  readonly known: string
  readonly rows: readonly {
    /** `owner/dseq/gseq/oseq/provider/bseq` */
    readonly bid: string
    readonly title: string
    readonly verdict: 'accept' | 'reject' | 'inconclusive'
    readonly codes: readonly Code[]
  }[]
}

/** `fixtures/expected.json`, as scripts/make-fixtures.ts writes it. */
export interface FixtureIndex {
  readonly madeBy: string
  /** time of judgement, RFC 3339 */
  readonly at: string
  readonly policy: string
  readonly challenge: string
  readonly lease: string
  readonly collateral: string
  readonly trustAnchors: string
  readonly cases: readonly FixtureCase[]
  readonly bids: FixtureBids
}

export interface Fixtures {
  readonly index: FixtureIndex
  /** absolute path of a file or folder of the fixtures */
  readonly path: (within: string) => string
}

/** Beside `src` in a checkout, beside `dist` in an installed package: two levels up from here in both. */
const FOLDER = new URL('../../fixtures/', import.meta.url)

/** The fixtures that come with this package. */
export async function openFixtures(): Promise<Fixtures> {
  const path = (within: string) => fileURLToPath(new URL(within, FOLDER))
  try {
    await access(path('expected.json'))
  } catch {
    throw new UsageError(`the fixtures of this package are missing: ${fileURLToPath(FOLDER)}`)
  }
  const index = JSON.parse(await readFile(path('expected.json'), 'utf8')) as FixtureIndex
  return { index, path }
}
