import { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import {
  type AmdProduct,
  type AuthorityRole,
  createAmdTestPki,
  SNP_REPORT_FIELDS,
  SNP_SIGNED_BYTES,
  snpReportBody,
  TABLE_GUID,
  tcbVersion,
} from '../../src/testing/amd/index.ts'
import { certificateTable } from '../../src/testing/amd/table.ts'
import { ext } from '../../src/testing/pki/certificate.ts'
import { tlvAt, tlvsIn } from '../../src/testing/pki/der.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../support/evidence.ts'

/** What another reader, written in another language, found in the same bytes. */
interface Verified {
  readonly vek?: {
    readonly product: string
    readonly bl: number
    readonly tee: number
    readonly snp: number
    readonly ucode: number
    readonly fmc?: number
    readonly hwid: string
    readonly notBefore: string
    readonly notAfter: string
    readonly algDer: string
  }
  readonly report?: Record<string, unknown> & {
    readonly cpuid: { readonly fam: number; readonly mod: number; readonly step: number } | null
  }
}

const seconds = (iso: string): string => iso.replace('.000Z', 'Z')
const tbsOf = (der: Uint8Array): Uint8Array => tlvsIn(tlvAt(der, 0).content)[0] ?? new Uint8Array()
const derOf = (path: string): Uint8Array => new Uint8Array(new X509Certificate(evidence(path)).raw)

describeEvidence('sev-snp', () => {
  const cases = readdirSync(evidencePath('sev-snp')).filter((id) => hasEvidence(`sev-snp/${id}/verified.json`))
  const withReport = cases.filter((id) => hasEvidence(`sev-snp/${id}/report.bin`))

  it('has reports to compare with', () => {
    expect(withReport.length).toBeGreaterThanOrEqual(10)
  })

  it.each(withReport)('%s: every field lies where another reader found it', (id) => {
    const report = evidence(`sev-snp/${id}/report.bin`)
    const { report: seen } = evidenceJson<Verified>(`sev-snp/${id}/verified.json`)
    if (seen === undefined) throw new TypeError(`${id} was verified without its report`)
    const bytes = (name: keyof typeof SNP_REPORT_FIELDS) => {
      const [offset, size] = SNP_REPORT_FIELDS[name]
      return report.subarray(offset, offset + size)
    }
    const number = (name: keyof typeof SNP_REPORT_FIELDS) =>
      BigInt(`0x${toHex(Uint8Array.from(bytes(name)).reverse())}`)
    const tcb = (name: string) => (seen[name] as { raw: string }).raw
    expect({
      version: Number(number('version')),
      guestSvn: Number(number('guestSvn')),
      policy: `0x${number('policy').toString(16)}`,
      familyId: toHex(bytes('familyId')),
      imageId: toHex(bytes('imageId')),
      vmpl: Number(number('vmpl')),
      sigAlgo: Number(number('signatureAlgo')),
      currentTcb: toHex(bytes('currentTcb')),
      platformInfo: `0x${number('platformInfo').toString(16)}`,
      keyInfo: Number(number('keyInfo')),
      reportData: toHex(bytes('reportData')),
      measurement: toHex(bytes('measurement')),
      hostData: toHex(bytes('hostData')),
      idKeyDigest: toHex(bytes('idKeyDigest')),
      authorKeyDigest: toHex(bytes('authorKeyDigest')),
      reportId: toHex(bytes('reportId')),
      reportIdMa: toHex(bytes('reportIdMa')),
      reportedTcb: toHex(bytes('reportedTcb')),
      chipId: toHex(bytes('chipId')),
      committedTcb: toHex(bytes('committedTcb')),
      current: [number('currentMajor'), number('currentMinor'), number('currentBuild')].join('.'),
      committed: [number('committedMajor'), number('committedMinor'), number('committedBuild')].join('.'),
      launchTcb: toHex(bytes('launchTcb')),
      launchMit: toHex(bytes('launchMitVector')),
      currentMit: toHex(bytes('currentMitVector')),
    }).toEqual({
      ...Object.fromEntries(
        [
          'version',
          'guestSvn',
          'policy',
          'familyId',
          'imageId',
          'vmpl',
          'sigAlgo',
          'platformInfo',
          'keyInfo',
          'reportData',
        ].map((name) => [name, seen[name]]),
      ),
      ...Object.fromEntries(
        [
          'measurement',
          'hostData',
          'idKeyDigest',
          'authorKeyDigest',
          'reportId',
          'reportIdMa',
          'chipId',
          'current',
        ].map((name) => [name, seen[name]]),
      ),
      committed: seen.committed,
      launchMit: seen.launchMit,
      currentMit: seen.currentMit,
      currentTcb: tcb('currentTcb'),
      reportedTcb: tcb('reportedTcb'),
      committedTcb: tcb('committedTcb'),
      launchTcb: tcb('launchTcb'),
    })
    if (seen.cpuid !== null) {
      const [family, model, stepping] = [number('cpuidFamId'), number('cpuidModId'), number('cpuidStep')].map(Number)
      expect({ fam: family, mod: model, step: stepping }).toEqual(seen.cpuid)
    }
  })

  it.each(withReport)('%s: the fields alone give the signed bytes back, so none is left out', (id) => {
    const report = evidence(`sev-snp/${id}/report.bin`)
    const fields = Object.entries(SNP_REPORT_FIELDS).map(([name, [offset, size, kind]]) => {
      const bytes = report.subarray(offset, offset + size)
      return [name, kind === 'number' ? BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`) : bytes]
    })
    const { version, ...rest } = Object.fromEntries(fields)
    expect(toHex(snpReportBody({ version: Number(version), ...rest }))).toBe(
      toHex(report.subarray(0, SNP_SIGNED_BYTES)),
    )
  })

  const leaves = cases.flatMap((id) => {
    const file = ['vek.der', 'vek.pem'].find((name) => hasEvidence(`sev-snp/${id}/${name}`))
    const { vek } = evidenceJson<Verified>(`sev-snp/${id}/verified.json`)
    return file === undefined || vek === undefined || id.includes('-neg-') ? [] : [{ id, file, vek }]
  })

  it.each(leaves)('$id: a leaf made from the same facts has the same signed bytes', ({ id, file, vek }) => {
    const real = derOf(`sev-snp/${id}/${file}`)
    const product = vek.product.split('-')[0] as AmdProduct
    const { fmc, bl, tee, snp, ucode } = vek
    const made = createAmdTestPki('real').vcek({
      product,
      chipId: Uint8Array.from(Buffer.from(vek.hwid, 'hex')),
      tcb: { bl, tee, snp, ucode, ...(fmc === undefined ? {} : { fmc }) },
      certificate: {
        publicKey: {
          spki: new Uint8Array(new X509Certificate(real).publicKey.export({ type: 'spki', format: 'der' })),
        },
        notBefore: seconds(vek.notBefore),
        notAfter: seconds(vek.notAfter),
        innerAlgorithm: Uint8Array.from(Buffer.from(vek.algDer, 'hex')),
      },
    })
    expect(toHex(tbsOf(made.certificate))).toBe(toHex(tbsOf(real)))
    expect(made.certificate.length).toBeGreaterThan(1000)
  })

  it('covers leaves of every product', () => {
    expect(new Set(leaves.map(({ vek }) => vek.product.split('-')[0]))).toEqual(new Set(['Milan', 'Genoa', 'Turin']))
  })

  const authorities = (['Milan', 'Genoa', 'Turin'] as const).flatMap((product) =>
    (['ark', 'ask', 'asvk'] as const).map((role): [AmdProduct, AuthorityRole] => [product, role]),
  )

  it.each(authorities)('%s %s: an authority made from the same facts has the same signed bytes', (product, role) => {
    const real = new X509Certificate(evidence(`sev-snp/roots/${product.toLowerCase()}_${role}.der`))
    const root = new X509Certificate(evidence(`sev-snp/roots/${product.toLowerCase()}_ark.der`))
    const skiOf = (certificate: X509Certificate): Uint8Array => {
      const at = certificate.raw.indexOf(Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14))
      return new Uint8Array(certificate.raw.subarray(at + 9, at + 29))
    }
    const pki = createAmdTestPki('real', {
      [role]: {
        replace: {
          subjectKeyId: ext.subjectKeyId(skiOf(real)),
          ...(role === 'ark' ? {} : { authorityKeyId: ext.authorityKeyId(skiOf(root)) }),
        },
        certificate: {
          publicKey: { spki: new Uint8Array(real.publicKey.export({ type: 'spki', format: 'der' })) },
          notBefore: seconds(real.validFromDate.toISOString()),
          notAfter: seconds(real.validToDate.toISOString()),
        },
      },
    })
    expect(toHex(tbsOf(pki.authority(product, role).certificate))).toBe(toHex(tbsOf(new Uint8Array(real.raw))))
  })

  it('makes the real Genoa revocation list from its facts', () => {
    const real = evidence('sev-snp/roots/genoa_vcek_crl.der')
    const ark = new X509Certificate(evidence('sev-snp/roots/genoa_ark.der'))
    const at = ark.raw.indexOf(Uint8Array.of(0x55, 0x1d, 0x0e, 0x04, 0x16, 0x04, 0x14))
    const made = createAmdTestPki('real').crl({
      product: 'Genoa',
      endpoint: 'vcek',
      authorityKeyId: new Uint8Array(ark.raw.subarray(at + 7, at + 27)),
      revoked: [{ serial: Uint8Array.of(2, 0, 1), date: '2022-10-31T12:00:00Z' }],
      thisUpdate: '2024-10-23T04:36:24Z',
      nextUpdate: '2025-11-03T01:00:00Z',
    })
    expect(toHex(tbsOf(made))).toBe(toHex(tbsOf(real)))
    expect(made.length).toBe(real.length)
  })

  it('writes the certificate table of a real extended report', () => {
    const real = evidence('sev-snp/veraison-genoa-tsm-auxblob/cert_table.bin')
    const view = new DataView(real.buffer, real.byteOffset)
    const kinds = ['ARK', 'ASK', 'VCEK'] as const
    const entries = kinds.map((kind, i) => {
      const offset = view.getUint32(24 * i + 16, true)
      return { kind, body: real.subarray(offset, offset + view.getUint32(24 * i + 20, true)) }
    })
    const made = certificateTable(entries)
    expect(toHex(made)).toBe(toHex(real.subarray(0, made.length)))
    expect(made.length).toBeGreaterThan(6000)
    expect(toHex(real.subarray(0, 16))).toBe(TABLE_GUID.ARK.replaceAll('-', ''))
  })

  it('lays a Turin TCB out as a real one', () => {
    expect(toHex(tcbVersion('Turin', { fmc: 1, bl: 1, tee: 1, snp: 4, ucode: 81 }))).toBe('0101010400000051')
  })
})
