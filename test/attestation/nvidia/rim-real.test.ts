import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compareMeasurements, rimIdentityOf } from '../../../src/attestation/nvidia/rim/index.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { attempt } from '../../../src/core/outcome.ts'
import { PINNED_ANCHORS } from '../../../src/core/trust-anchors.ts'
import { commonName } from '../../../src/core/x509/names.ts'
import { checkValidity } from '../../../src/core/x509/path.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath } from '../../support/evidence.ts'
import { accepted, authenticated, contextOf, held, sha256, testAnchor, verdictOn } from './rim-support.ts'

/** What was found out about a manifest when it was collected, with other tools than ours. */
interface Facts {
  readonly version: string
  readonly product: string
  readonly edition: string
  readonly activeIndexes: readonly number[]
  readonly xmlDsig: string
  readonly certNames: readonly string[]
  readonly validFrom: string
  readonly validTo: string
  readonly sha256: string
}

interface Manifest {
  readonly path: string
  readonly facts: Facts
}

/** Facts wherever a case.json keeps them: every object that says how a signature came out. */
const factsIn = (value: unknown): readonly Facts[] =>
  typeof value !== 'object' || value === null
    ? []
    : 'xmlDsig' in value
      ? [value as Facts]
      : Object.values(value).flatMap(factsIn)

/** Every manifest of the evidence with its facts, by the digest of the file. */
function manifests(): readonly Manifest[] {
  const files = readdirSync(evidencePath('nvidia'), { recursive: true, encoding: 'utf8' }).sort()
  const known = new Map<string, Facts>()
  for (const file of files.filter((name) => name.endsWith('case.json'))) {
    for (const facts of factsIn(evidenceJson(`nvidia/${file}`))) known.set(facts.sha256, facts)
  }
  return files
    .filter((name) => name.endsWith('.xml'))
    .map((name) => {
      const path = `nvidia/${name}`
      const facts = known.get(sha256(evidence(path)))
      if (facts === undefined) throw new TypeError(`${path}: no case says what it is`)
      return { path, facts }
    })
}

/** Blocks of a report (SPDM 1.1 MEASUREMENTS behind its request), as the fact sheet lays them out. */
function blocksOf(report: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const blocks = new Map<number, Uint8Array>()
  for (let at = 45, n = report[41] ?? 0; n > 0; n--, at += 55) {
    blocks.set(report[at] ?? 0, report.subarray(at + 7, at + 55))
  }
  return blocks
}

const NVIDIA = { anchors: PINNED_ANCHORS }
const authentic = async (path: string) => accepted(await authenticated(evidence(path), NVIDIA))

describeEvidence('nvidia', () => {
  const all = manifests()
  const genuine = all.filter(({ facts }) => facts.xmlDsig.startsWith('valid'))
  const damaged = all.filter(({ facts }) => !facts.xmlDsig.startsWith('valid'))

  it('is all there', () => {
    expect(all.filter(({ path }) => path.includes('/rim-library/'))).toHaveLength(27)
    expect(damaged.map(({ path }) => path)).toContain('nvidia/rim-driver-bad-signature-value/rim.xml')
  })

  it.each(genuine)('$path is NVIDIA’s', async ({ path, facts }) => {
    const manifest = await authentic(path)
    const active = [...manifest.entries].filter(([, entry]) => entry.active).map(([index]) => index)
    expect({
      version: manifest.version,
      product: manifest.product,
      edition: manifest.edition,
      activeIndexes: active,
      sha256: manifest.sha256,
    }).toEqual({
      version: facts.version,
      product: facts.product,
      edition: facts.edition,
      activeIndexes: facts.activeIndexes,
      sha256: facts.sha256,
    })
    expect(manifest.path.certificates.map((c) => commonName(c.subject))).toEqual(facts.certNames.slice(0, 3))
    expect(manifest.path.anchor.id).toBe('nvidia/NVIDIA CoRIM signing Root CA')
    const identity = { version: facts.version, product: facts.product, edition: facts.edition }
    expect(rimIdentityOf(held(evidence(path)))).toEqual({ ok: true, value: identity })
  })

  it.each(damaged)('$path is refused', async ({ path }) => {
    expect(verdictOn(await authenticated(evidence(path), NVIDIA))).toBe('RIM_SIGNATURE_INVALID')
  })

  it.each(genuine.slice(0, 1))('$path is nobody’s without NVIDIA’s root', async ({ path }) => {
    expect(verdictOn(await authenticated(evidence(path), { anchors: [] }))).toBe('X509_ROOT_UNTRUSTED')
    const others = [testAnchor, ...PINNED_ANCHORS.filter((a) => a.role !== 'nvidia/rim-root')]
    expect(verdictOn(await authenticated(evidence(path), { anchors: others }))).toBe('X509_ROOT_UNTRUSTED')
  })

  it.each(genuine.slice(0, 3))('$path is judged by WebCrypto as by node:crypto', async ({ path }) => {
    const situation = { ...NVIDIA, crypto: webCrypto(globalThis.crypto.subtle) }
    expect(verdictOn(await authenticated(evidence(path), situation))).toBe('accepted')
  })

  it('gives the dates of the signer to whoever asks', async () => {
    const { path } = await authentic('nvidia/gpu-hopper-545.00-full/driver-rim.xml')
    const judgedAt = (at: string) => verdictOn(attempt(() => checkValidity(contextOf({ at }), path, 'rim')))
    expect(judgedAt('2024-06-01T00:00:00Z')).toBe('accepted')
    expect(judgedAt('2026-09-01T00:00:00Z')).toBe('X509_VALIDITY')
  })

  it('matches gpu-hopper-545.00-full in 32 measurements and leaves index 35 out', async () => {
    const rims = {
      driver: await authentic('nvidia/gpu-hopper-545.00-full/driver-rim.xml'),
      vbios: await authentic('nvidia/gpu-hopper-545.00-full/vbios-rim.xml'),
    }
    const report = blocksOf(evidence('nvidia/gpu-hopper-545.00-full/report.bin'))
    const compared = accepted(compareMeasurements({ report, nvdec0Disabled: true, rims }))
    expect(compared.status).toBe('match')
    expect(compared.matched).toHaveLength(32)
    expect(compared.mismatched).toEqual([])
    expect(compared.skipped.map((s) => s.index)).toEqual([35])
  })

  it('matches the switch of switch-ls10-96.10.55.00.01-full in all 31 measurements', async () => {
    const bios = await authentic('nvidia/switch-ls10-96.10.55.00.01-full/bios-rim.xml')
    const report = blocksOf(evidence('nvidia/switch-ls10-96.10.55.00.01-full/report.bin'))
    const compared = accepted(compareMeasurements({ report, nvdec0Disabled: false, rims: { bios } }))
    expect([compared.status, compared.matched.length, compared.skipped]).toEqual(['match', 31, []])
  })

  it('tells two revisions of one VBIOS manifest apart by index 9', async () => {
    const driver = await authentic('nvidia/gpu-hopper-545.00-full/driver-rim.xml')
    const earlier = await authentic('nvidia/gpu-hopper-535.86.09/vbios-rim.xml')
    const later = await authentic('nvidia/gpu-hopper-535.86.09-measurement-mismatch/vbios-rim.xml')
    expect([later.version, later.product]).toEqual([earlier.version, earlier.product])
    const report = blocksOf(evidence('nvidia/gpu-hopper-535.86.09/report.bin'))
    const differing = (vbios: typeof earlier) => {
      const compared = accepted(compareMeasurements({ report, nvdec0Disabled: true, rims: { driver, vbios } }))
      expect(compared.rims.map((r) => r.sha256)).toEqual([driver.sha256, vbios.sha256])
      return compared.mismatched.filter((m) => m.source === 'vbios').map((m) => m.index)
    }
    expect([differing(earlier), differing(later)]).toEqual([[], [9]])
  })
})
