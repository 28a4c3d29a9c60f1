import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { canonicalJson, type Json as JsonValue } from '../../src/core/json.ts'
import { POLICY_SCHEMA, PRESET_NAMES, presetPolicy } from '../../src/policy/index.ts'
import { PRESET_DOCUMENTS } from '../../src/policy/presets.ts'
import { DIGEST, documentWith, documentWithGpu, GPU, HOST_DATA, type Json, MINIMAL, parsed, SIGNER } from './support.ts'

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: false })
const validate = ajv.compile(POLICY_SCHEMA)

const EXTENDING = { version: 1, name: 'x', extends: 'h100-confidential' }
const VALID: Json[] = [
  MINIMAL,
  ...Object.values(PRESET_DOCUMENTS),
  ...PRESET_NAMES.map((name) => JSON.parse(canonicalJson(presetPolicy(name) as unknown as JsonValue))),
  EXTENDING,
  { ...EXTENDING, require: { gpu: { count: 8 } } },
  { ...EXTENDING, require: { cpu: { any: [{ platform: 'amd/snp', vmpl: [0] }] } } },
  documentWith({ measurements: [DIGEST], hostData: [HOST_DATA], chipIds: ['ab'.repeat(8)], minFirmware: '1.55.40' }),
  documentWith({
    mitigations: { current: '000000000000000b' },
    minTcb: { snp: 27 },
    tcbFloors: { bulletins: '2026-02-01' },
  }),
  documentWith({}, { $schema: POLICY_SCHEMA.$id, comment: 'Ünïcode **prose** with https://example.org' }),
  documentWith({}, { referenceValues: { signers: [SIGNER, { kid: 'b', kty: 'OKP', crv: 'Ed25519', x: SIGNER.y }] } }),
  documentWith(
    { measurements: [DIGEST] },
    { keyRelease: { minLevel: 3, ttlSeconds: 30 }, acceptRisks: ['open-quote-oracle'] },
  ),
  documentWith({}, { collateral: { maxAgeSeconds: 3600 }, onInconclusive: 'retry', profile: 'development' }),
  documentWithGpu({
    count: 'lease',
    models: 'any',
    modes: ['SPT'],
    denyVbios: ['96.00.74.00.1c'],
    deviceIds: ['41ffeeb20009e0be49'],
  }),
]

/** What is not said of the value itself: it replaces every place in a valid document, one at a time. */
const STRANGERS: unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  5,
  300,
  9007199254740991,
  '',
  'any',
  'none',
  'required',
  'x',
  DIGEST,
  [],
  ['any'],
  [null],
  {},
  { x: 1 },
]

type Path = readonly (string | number)[]

function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [
    path,
    ...Object.entries(value).flatMap(([k, v]) => placesOf(v, [...path, Array.isArray(value) ? Number(k) : k])),
  ]
}

function changed(value: unknown, [head, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (head === undefined) return change(value)
  if (Array.isArray(value)) return value.map((v, i) => (i === head ? changed(v, rest, change) : v))
  const entries = Object.entries(value as Json).map(([k, v]) => [k, k === head ? changed(v, rest, change) : v] as const)
  return Object.fromEntries(entries.filter(([, v]) => v !== GONE))
}
const GONE = Symbol('gone')

/** Codes about what holds between members, of which a schema knows nothing. */
const BEYOND_STRUCTURE = new Set([
  ...[
    'POLICY_UNSATISFIABLE',
    'POLICY_ACKNOWLEDGEMENT_MISSING',
    'POLICY_MEASUREMENT_REQUIRED',
    'POLICY_EXTENDS_INVALID',
  ],
  ...['POLICY_PROFILE_NOT_RELEASABLE', 'LIMIT_POLICY'],
])

/** Whether both say the same of a document's structure; the disagreement otherwise. */
function disagreement(document: unknown): string | undefined {
  const outcome = parsed(document)
  const faults = outcome.ok ? [] : outcome.faults
  const ours = faults.every(({ code, path }) => BEYOND_STRUCTURE.has(code) && path !== '/extends')
  const theirs = validate(JSON.parse(JSON.stringify(document)))
  return ours === theirs
    ? undefined
    : `${JSON.stringify(document)}: parsePolicy ${faults.map((f) => f.code)}, schema ${ajv.errorsText(validate.errors)}`
}

describe('the published schema', () => {
  // After a change of the table: npx vouchsafe policy schema > src/policy/policy-1.schema.json, then npm run format.
  it('is the one that the parser is made from', () => {
    const published = readFileSync(new URL('../../src/policy/policy-1.schema.json', import.meta.url), 'utf8')
    expect(JSON.parse(published)).toEqual(POLICY_SCHEMA)
  })

  it('explains every member', () => {
    const bare: string[] = []
    const walk = (schema: Json, path: string): void => {
      for (const [name, member] of Object.entries((schema.properties ?? {}) as Record<string, Json>)) {
        const isKey = path.includes('/signers')
        if (typeof member.description !== 'string' && !isKey) bare.push(`${path}/${name}`)
        walk(member, `${path}/${name}`)
      }
      for (const inner of [schema.items, ...((schema.oneOf ?? []) as Json[])]) if (inner) walk(inner as Json, path)
    }
    walk(POLICY_SCHEMA, '')
    expect(bare).toEqual([])
  })

  it.each(VALID.map((document, i) => [i, document]))(
    'accepts valid document %i, as parsePolicy does',
    (_, document) => {
      expect(parsed(document)).toMatchObject({ ok: true })
      expect(validate(document) || ajv.errorsText(validate.errors)).toBe(true)
    },
  )

  it('agrees with parsePolicy wherever one value of a valid document is another', () => {
    let judged = 0
    const disagreements: string[] = []
    for (const document of VALID) {
      for (const place of placesOf(document).slice(1)) {
        for (const stranger of STRANGERS) {
          judged++
          const told = disagreement(changed(document, place, () => stranger))
          if (told !== undefined) disagreements.push(told)
        }
      }
    }
    expect(disagreements).toEqual([])
    expect(judged).toBeGreaterThan(5000)
  })

  it('agrees with parsePolicy wherever one member of a valid document is missing, misspelled or repeated', () => {
    const disagreements: string[] = []
    for (const document of VALID) {
      for (const place of placesOf(document).slice(1)) {
        const variants = [changed(document, place, () => GONE)]
        variants.push(changed(document, place, (old) => (Array.isArray(old) ? [...old, old[0]] : old)))
        variants.push(
          changed(document, place, (old) =>
            typeof old === 'object' && !Array.isArray(old) ? { ...old, typo: 1 } : old,
          ),
        )
        for (const variant of variants) {
          const told = disagreement(variant)
          if (told !== undefined) disagreements.push(told)
        }
      }
    }
    expect(disagreements).toEqual([])
  })

  it('knows the refusals that need no second member', () => {
    for (const bad of [
      {},
      { version: 2, name: 'x', extends: 'h100-confidential' },
      { ...EXTENDING, extends: 'other' },
      documentWith({ measurements: ['0'.repeat(96)] }),
      documentWith({}, {}, { gpu: { ...GPU, count: 17 } }),
    ]) {
      expect(validate(bad)).toBe(false)
      expect(parsed(bad).ok).toBe(false)
    }
  })
})
