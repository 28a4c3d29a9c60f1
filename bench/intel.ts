import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { QuoteVerifier } from '@phala/dcap-qvl'
import { createVerificationCache, type VerificationCache } from '../src/core/context.ts'
import { nodeCrypto } from '../src/core/crypto/node.ts'
import type { CryptoPort } from '../src/core/crypto/port.ts'
import { type Policy, parsePolicy, prepareCollateral, type VerifyContext, verify } from '../src/index.ts'
import type { Work } from './measure.ts'

/** One genuine TDX quote, version 4, of a platform that is up to date, with all of Intel's collateral of that time. */
const FOLDER = join(
  process.env.VOUCHSAFE_EVIDENCE ?? fileURLToPath(new URL('../../shared/evidence', import.meta.url)),
  'intel/tdx-v4-dcapqvl-uptodate/',
)
/** In a quote of version 4 (intel-dcap.md §1). */
const REPORT_DATA_AT = 48 + 520
const QE_SIGNATURE_AT = 1154

/** Why the quote cannot be judged here; undefined where it can. */
export const intelAbsent = (): string | undefined => (existsSync(FOLDER) ? undefined : `no evidence at ${FOLDER}`)

const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FOLDER}${name}`))

const now = (): number =>
  (JSON.parse(readFileSync(`${FOLDER}case.json`, 'utf8')) as { verificationTime: number }).verificationTime

/** Lists of Intel's are required: their signatures are among the checks. */
function policy(): Policy {
  const parsed = parsePolicy(
    JSON.stringify({
      version: 1,
      name: 'bench-tdx',
      require: {
        level: 2,
        cpu: { any: [{ platform: 'intel/tdx', tcbStatus: ['UpToDate'], revocation: 'required' }] },
        gpu: 'any',
        physical: 'any',
      },
      freshness: { maxAgeSeconds: 120 },
      onInconclusive: 'deny',
    }),
  )
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.faults))
  return parsed.value
}

interface Judged {
  readonly quote: Uint8Array
  readonly collateral: Uint8Array
  readonly context: Omit<VerifyContext, 'collateral' | 'cache' | 'crypto'>
}

function judged(): Judged {
  const quote = file('quote.bin')
  return {
    quote,
    collateral: file('collateral.json'),
    context: {
      now: now(),
      policy: policy(),
      freshness: { kind: 'nonce', nonce: quote.slice(REPORT_DATA_AT, REPORT_DATA_AT + 64) },
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [],
    },
  }
}

const read = async (bytes: Uint8Array) => {
  const { collateral, faults } = await prepareCollateral([{ name: 'collateral.json', bytes }])
  if (faults.length > 0) throw new TypeError(JSON.stringify(faults))
  return collateral
}

/** Reads the collateral from its file's bytes and judges the quote, with nothing remembered. */
export const coldQuote = (crypto: CryptoPort = nodeCrypto): Work => {
  const { quote, collateral, context } = judged()
  return async () => {
    const decision = await verify(quote, {
      ...context,
      collateral: await read(collateral),
      cache: createVerificationCache(),
      crypto,
    })
    if (decision.verdict !== 'accept') throw new TypeError(JSON.stringify(decision.findings, null, 2))
  }
}

/**
 * Judges the quote where its chain and the collateral were proved before, and the report of its quoting enclave was not: that
 * was another machine's or another day's. One quote stands for many, so that what it adds is not remembered.
 */
export const warmQuote = async (): Promise<(crypto?: CryptoPort) => Work> => {
  const { quote, collateral, context } = judged()
  const known = await read(collateral)
  const cache = createVerificationCache()
  // Everything before the report's own signature is proved on the way to this refusal, and only successes are remembered.
  const forged = quote.with(QE_SIGNATURE_AT, (quote[QE_SIGNATURE_AT] ?? 0) ^ 1)
  const { findings } = await verify(forged, { ...context, collateral: known, cache })
  if (!findings.some((f) => f.code === 'TDX_QE_SIGNATURE_INVALID')) throw new TypeError(JSON.stringify(findings))
  const readOnly: VerificationCache = { get: (key) => cache.get(key), set: () => {} }
  return (crypto = nodeCrypto) =>
    async () => {
      const decision = await verify(quote, { ...context, collateral: known, cache: readOnly, crypto })
      if (decision.verdict !== 'accept') throw new TypeError(JSON.stringify(decision.findings, null, 2))
    }
}

/** The same quote and collateral by the other library on npm, which reads and proves everything each time. */
export const quoteByDcapQvl = (): Work => {
  const quote = file('quote.bin')
  const collateral = JSON.parse(readFileSync(`${FOLDER}collateral.json`, 'utf8'))
  const verifier = QuoteVerifier.newProd()
  const at = now()
  return async () => {
    if (verifier.verify(quote, collateral, at).status !== 'UpToDate') throw new TypeError('not up to date')
  }
}
