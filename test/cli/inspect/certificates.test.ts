import { describe, expect, test } from 'vitest'
import { drawChains } from '../../../src/cli/inspect/boxes.ts'
import { certificateViews } from '../../../src/cli/inspect/certificates.ts'
import type { CertificateView } from '../../../src/cli/inspect/model.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { take } from '../../../src/core/outcome.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { amdMachine, certificate, ecKey, ext, name, nvidiaMachine } from '../../../src/testing/index.ts'
import { describeEvidence, evidence } from '../../support/evidence.ts'
import { widest } from '../run.ts'

const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })
const viewsOf = (ders: readonly Uint8Array[]): Promise<CertificateView[]> =>
  certificateViews(
    ders.map((der) => take(decodeCertificate(der, 'test'))),
    context,
  )

const machine = amdMachine('inspect')

const selfIssued = (commonName: string): Uint8Array => issuedBy(commonName, commonName)

function issuedBy(issuer: string, commonName: string): Uint8Array {
  const key = ecKey('P-384', `inspect/${commonName}`)
  return certificate({
    serial: 7,
    issuer: name([['CN', issuer]]),
    subject: name([['CN', commonName]]),
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2027-01-01T00:00:00Z',
    publicKey: key,
    extensions: [ext.basicConstraints(true)],
    signer: key,
    algorithm: { kind: 'ecdsa-sha384' },
  })
}

describe('a chain', () => {
  test('what a certificate says, and which one its issuer names', async () => {
    const [vek, ask, ark] = await viewsOf([machine.vek, machine.intermediate, machine.ark])
    expect(vek).toMatchObject({
      commonName: 'SEV-VCEK',
      key: 'EC P-384',
      algorithm: 'PS384',
      ca: false,
      selfIssued: false,
      issuedBy: ask?.sha256,
      certifies: [
        { what: 'product', value: 'Genoa' },
        { what: 'TCB', value: 'bl=11 tee=1 snp=28 ucode=88' },
        { what: 'chip', value: toHex(machine.chipId) },
      ],
    })
    expect(ask).toMatchObject({ commonName: 'SEV-Genoa', key: 'RSA 4096', ca: true, issuedBy: ark?.sha256 })
    expect(ark).toMatchObject({ commonName: 'ARK-Genoa', selfIssued: true, imitates: 'amd/ARK-Genoa' })
    expect(ark).not.toHaveProperty('pinned')
    expect(ark).not.toHaveProperty('issuedBy')
  })

  test('a VLEK names its cloud, a Turin key its FMC', async () => {
    const [vlek] = await viewsOf([amdMachine('inspect', { kind: 'VLEK' }).vek])
    expect(vlek?.certifies.at(-1)).toEqual({ what: 'cloud', value: 'CN=cc-test-1.cloud.example' })
    const [turin] = await viewsOf([amdMachine('inspect', { product: 'Turin' }).vek])
    expect(turin?.certifies[1]?.value).toMatch(/^fmc=2 bl=2 /)
  })

  test('AMD extensions that cannot be read are told', async () => {
    const [vek] = await viewsOf([amdMachine('inspect', { wrong: 'ext-missing-hwid' }).vek])
    expect(vek?.certifies).toEqual([
      { what: 'AMD extensions', value: 'unreadable: SNP_VCEK_EXTENSION_INVALID at vek.hwID' },
    ])
  })

  test('roles and firmware id of an NVIDIA chain', async () => {
    const [gpu] = nvidiaMachine('inspect', {
      architecture: 'hopper',
      gpuCount: 1,
      nonce: new Uint8Array(32),
      driverVersion: '580.159.03',
      vbiosVersion: '96.00.FE.00.01',
      featureFlag: 'spt',
    }).gpus
    const views = await viewsOf(gpu?.chainDer ?? [])
    expect(views.map((v) => v.certifies[0]?.value)).toEqual([
      'HOPPER attestation key',
      'HOPPER identity key',
      'HOPPER provisioner key',
      'HOPPER architecture key',
      undefined,
    ])
    expect(views[0]?.certifies[1]).toEqual({ what: 'FWID', value: toHex(gpu?.device.fwid ?? new Uint8Array()) })
    expect(views.at(-1)?.imitates).toBe('nvidia/NVIDIA Device Identity CA')
  })

  test('one certificate twice is one certificate', async () => {
    expect(await viewsOf([machine.vek, machine.vek])).toHaveLength(1)
  })
})

describe('the picture', () => {
  const picture = async (ders: readonly Uint8Array[]) => drawChains(await viewsOf(ders))

  test('root on top, each tied to the one that its issuer names, whatever the order', async () => {
    const drawn = await picture([machine.vek, machine.ark, machine.intermediate])
    expect(drawn).toBe(await picture([machine.ark, machine.intermediate, machine.vek]))
    const order = ['ARK-Genoa', 'SEV-Genoa', 'SEV-VCEK'].map((n) => drawn.search(new RegExp(`^┌──[┴─] ${n} ─`, 'm')))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order).not.toContain(-1)
    expect(drawn.match(/^ {3}│$/gm)).toHaveLength(2)
    expect(drawn).toContain(' name of amd/ARK-Genoa, another key ┐')
  })

  test('every line is as wide as the others, and fits', async () => {
    const boxes = (await picture([machine.vek, machine.ark, machine.intermediate]))
      .split('\n')
      .filter((l) => l !== '   │')
    expect(new Set(boxes.map((l) => [...l].length))).toEqual(new Set([100]))
  })

  test('without its root: the pinned anchor that is named; without that: a name', async () => {
    const underPinned = await picture([machine.vek, machine.intermediate])
    expect(underPinned).toMatch(/^┌┄+┐\n┆ name of pinned anchor amd\/ARK-Genoa, whose key the verifier holds +┆\n/)
    // The ASK's name is pinned too.
    expect(await picture([machine.vek])).toContain('┆ name of pinned anchor amd/SEV-Genoa,')
    const orphan = nvidiaMachine('inspect', {
      architecture: 'hopper',
      gpuCount: 1,
      nonce: new Uint8Array(32),
      driverVersion: '580.159.03',
      vbiosVersion: '96.00.FE.00.01',
      featureFlag: 'spt',
    }).gpus[0]?.chainDer[0]
    expect((await picture(orphan === undefined ? [] : [orphan])).replace(/\s*┆\n┆ /g, ' ')).toContain(
      'not sent, and no pinned anchor has this name',
    )
  })

  test('two leaves under one authority', async () => {
    const other = amdMachine('inspect', { chipId: new Uint8Array(64).fill(9) }).vek
    const drawn = await picture([machine.vek, other, machine.intermediate, machine.ark])
    expect(drawn.match(/^┌──┴ SEV-VCEK /gm)).toHaveLength(2)
    expect(drawn).toContain('SEV-Genoa is also named by')
  })

  test('what was drawn before takes one line', async () => {
    const shown = new Set<string>()
    const views = await viewsOf([machine.vek, machine.intermediate, machine.ark])
    drawChains(views, shown)
    expect(drawChains(views, shown)).toBe('   SEV-VCEK: drawn above')
    const other = await viewsOf([
      amdMachine('inspect', { chipId: new Uint8Array(64).fill(9) }).vek,
      machine.intermediate,
      machine.ark,
    ])
    const drawn = drawChains(other, shown)
    expect(drawn).toMatch(/^ {3}ARK-Genoa: drawn above\n {3}│\n {3}SEV-Genoa: drawn above\n {3}│\n┌──┴ SEV-VCEK /)
  })

  test('names that go in a circle have no top, and are drawn all the same', async () => {
    const circle = [issuedBy('c', 'a'), issuedBy('a', 'b'), issuedBy('b', 'c'), issuedBy('a', 'leaf')]
    const views = await viewsOf(circle)
    expect(views.filter((v) => v.circular)).toHaveLength(1)
    const drawn = drawChains(views)
    expect(drawn).toContain('CN=c: below, so that the names go in a circle')
    for (const commonName of ['a', 'b', 'c', 'leaf']) expect(drawn).toContain(`┴ ${commonName} ─`)
    const shown = new Set<string>()
    drawChains(views, shown)
    expect(drawChains(views, shown)).toMatch(/^( {3}(c|leaf): drawn above\n?)+$/)
  })

  test('a stranger’s root, and a name that would steer the terminal', async () => {
    const hostile = `\x1b]0;owned\x07\u202e${'x'.repeat(300)}`
    const drawn = await picture([selfIssued(hostile)])
    expect(drawn).toContain('\\u{1b}]0;owned\\u{7}\\u{202e}')
    expect(drawn).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
    expect(await picture([selfIssued('stranger')])).toContain(' self-issued, not pinned ┐')
  })
})

describeEvidence('sev-snp/roots', () => {
  test('AMD’s own certificates are those that are pinned', async () => {
    const views = await viewsOf(['ask', 'ark'].map((role) => evidence(`sev-snp/roots/genoa_${role}.der`)))
    expect(views.map((v) => v.pinned)).toEqual(['amd/SEV-Genoa', 'amd/ARK-Genoa'])
    expect(drawChains(views)).toMatch(/^┌─── ARK-Genoa ─+ pinned anchor amd\/ARK-Genoa ┐$/m)
    expect(widest(drawChains(views))).toBe(100)
  })
})
