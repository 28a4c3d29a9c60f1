import { describe, expect, it } from 'vitest'
import { authenticateChain } from '../../../src/attestation/nvidia/chain.ts'
import type { Code } from '../../../src/core/codes.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { createNvidiaTestPki, NVIDIA_TEST_TIME, type NvidiaFault } from '../../../src/testing/nvidia/index.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { name } from '../../../src/testing/pki/names.ts'
import {
  ACCEPTED,
  anchorsOf,
  codesOf,
  contextAt,
  faultyMachine,
  judgeGpu,
  last,
  machineOf,
  ONE_BLACKWELL,
  refusedWith,
  verdictOf,
} from './support.ts'

const FAULTS: readonly (readonly [NvidiaFault, Code])[] = [
  ['chain-without-root', 'X509_ROOT_UNTRUSTED'],
  ['chain-leaf-only', 'X509_ROOT_UNTRUSTED'],
  ['chain-without-identity', 'GPU_CERT_ROLE'],
  ['chain-root-only', 'GPU_CERT_ROLE'],
  ['chain-six', 'GPU_CERT_ROLE'],
  ['chain-reversed', 'GPU_CERT_ROLE'],
  ['chain-swapped', 'GPU_CERT_ROLE'],
  ['identity-signs', 'GPU_CERT_ROLE'],
  ['identity-signs-five', 'GPU_CERT_ROLE'],
  ['chain-foreign', 'X509_ROOT_UNTRUSTED'],
  ['chain-foreign-root-swapped', 'X509_SIGNATURE_INVALID'],
  ['chain-of-another', 'GPU_SIGNATURE_INVALID'],
  ['switch-signs', 'GPU_ARCH_MISMATCH'],
  ['leaf-is-ca', 'X509_LEAF_IS_CA'],
  ['leaf-key-usage', 'X509_KEY_USAGE'],
  ['leaf-critical-extension', 'X509_CRITICAL_EXTENSION'],
  ['leaf-signature', 'X509_SIGNATURE_INVALID'],
  ['leaf-expired', 'X509_VALIDITY'],
  ['leaf-not-yet-valid', 'X509_VALIDITY'],
  ['identity-not-ca', 'X509_NOT_CA'],
  ['provisioner-key-usage', 'X509_KEY_USAGE'],
  ['provisioner-path-length', 'X509_PATH_LENGTH'],
  ['leaf-fwid-absent', 'GPU_FWID_MISSING'],
  ['leaf-fwid-other', 'GPU_FWID_MISMATCH'],
  ['leaf-fwid-key', 'GPU_FWID_MISMATCH'],
]

describe('device chains of the test kit', () => {
  it.each(FAULTS)('%s: %s', async (wrong, code) => {
    expect(verdictOf(await judgeGpu(faultyMachine(wrong)))).toEqual(refusedWith(code))
  })

  it('are accepted where nothing is wrong, as PEM, with CRLF, and as single certificates', async () => {
    const machine = machineOf()
    const { chainPem, chainDer } = last(machine.gpus)
    const utf8 = (text: string) => new TextEncoder().encode(text)
    expect(verdictOf(await judgeGpu(machine))).toEqual(ACCEPTED)
    expect(verdictOf(await judgeGpu(machine, { endorsements: [utf8(chainPem.replaceAll('\n', '\r\n'))] }))).toEqual(
      ACCEPTED,
    )
    expect(verdictOf(await judgeGpu(machine, { endorsements: chainDer }))).toEqual(ACCEPTED)
  })

  it('are refused without a certificate, with too many, and with what is none', async () => {
    const machine = machineOf()
    const { chainDer } = last(machine.gpus)
    const judge = (endorsements: readonly Uint8Array[]) => judgeGpu(machine, { endorsements })
    expect(codesOf(await judge([]))).toEqual(['GPU_CERT_CHAIN_MISSING'])
    expect(codesOf(await judge([...chainDer, ...chainDer]))).toEqual(['LIMIT_CERT_COUNT'])
    expect(
      codesOf(await judge([new TextEncoder().encode('-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n')])),
    ).toEqual(['PEM_INVALID'])
    expect(codesOf(await judge([Uint8Array.of(0x30, 0x00)]))).toEqual(['X509_MALFORMED'])
  })

  it('are nobody’s under the pinned roots alone', async () => {
    expect(verdictOf(await judgeGpu(machineOf(), { anchors: [] }))).toEqual(refusedWith('X509_ROOT_UNTRUSTED'))
  })

  it('name an address that NVIDIA does not use to be refused', async () => {
    const pki = createNvidiaTestPki('nvidia')
    const context = contextAt(NVIDIA_TEST_TIME, anchorsOf(pki))
    const chainWith = (url: string) =>
      pki.device({
        architecture: 'hopper',
        label: 'address',
        edit: { identity: (spec) => ({ ...spec, extensions: [...spec.extensions, ext.authorityInfoAccess(url)] }) },
      }).chain
    const codes = async (chain: readonly Uint8Array[]) => {
      const certificates = chain.map((der) => {
        const decoded = decodeCertificate(der, 'chain')
        if (!decoded.ok) throw new TypeError('not a certificate')
        return decoded.value
      })
      const outcome = await authenticateChain(context, certificates, 'gpu', undefined, 'chain')
      return outcome.ok ? [] : outcome.faults.map((f) => f.code)
    }
    expect(await codes(chainWith('http://ocsp.ndis.nvidia.com'))).toEqual([])
    expect(await codes(chainWith('http://ocsp.example.com'))).toEqual(['ENV_FETCH_FROM_INPUT'])
  })

  it('are of one architecture, and the label of the carrier has to agree', async () => {
    const machine = machineOf()
    expect(verdictOf(await judgeGpu(machine, { architectureLabel: 'HOPPER' }))).toEqual(ACCEPTED)
    expect(verdictOf(await judgeGpu(machine, { architectureLabel: 'hopper' }))).toEqual(ACCEPTED)
    expect(verdictOf(await judgeGpu(machine, { architectureLabel: 'BLACKWELL' }))).toEqual(
      refusedWith('GPU_ARCH_MISMATCH'),
    )
    expect(verdictOf(await judgeGpu(machineOf(ONE_BLACKWELL), { architectureLabel: 'HOPPER' }))).toEqual(
      refusedWith('GPU_ARCH_MISMATCH'),
    )
  })

  it('are refused where a certificate of another family stands between', async () => {
    const pki = createNvidiaTestPki('nvidia')
    const renamed = (commonName: string) => (spec: { subject: Uint8Array }) => ({
      ...spec,
      subject: name([
        ['CN', commonName],
        ['O', 'NVIDIA Corporation'],
        ['C', 'US'],
      ]),
    })
    const judge = async (commonName: string) => {
      const edit = { provisioner: renamed(commonName) as never }
      const device = pki.device({ architecture: 'hopper', label: 'gpu-0', edit })
      const machine = machineOf()
      return codesOf(await judgeGpu({ ...machine, gpus: [{ ...last(machine.gpus), chainPem: device.chainPem }] }))
    }
    expect(await judge('NVIDIA GB100 Provisioner ICA 1')).toEqual(['GPU_CERT_ROLE'])
    expect(await judge('NVIDIA GH200 Provisioner ICA 1')).toEqual(['GPU_CERT_ROLE'])
    expect(await judge('NVIDIA GH100 Provisioner ICA 2 ')).toEqual(['GPU_CERT_ROLE'])
  })

  it('reach to the year 9999', async () => {
    const judgement = await judgeGpu(machineOf(), { at: '9999-12-30T00:00:00Z', collateral: [] })
    expect(codesOf(judgement)).toEqual(['GPU_RIM_UNAVAILABLE', 'GPU_RIM_UNAVAILABLE'])
  })
})

describe('the firmware id', () => {
  it('may be absent from a Hopper report before driver 550 only', async () => {
    const early = machineOf({ ...machineSpec('545.00'), generation: 'r535' })
    const judged = await judgeGpu(early)
    expect(verdictOf(judged)).toEqual(ACCEPTED)
    expect(judged.notChecked.map((n) => n.what)).toContain('firmware id of the NVIDIA device')
    const late = machineOf({ ...machineSpec('550.54.14'), generation: 'r535' })
    expect(verdictOf(await judgeGpu(late))).toEqual(refusedWith('GPU_FWID_MISSING'))
  })

  it('is compared in an early report that has it', async () => {
    const early = { ...machineSpec('545.00'), generation: 'r550' } as const
    expect(verdictOf(await judgeGpu(machineOf(early)))).toEqual(ACCEPTED)
    expect(verdictOf(await judgeGpu(faultyMachine('report/fwid-mismatch', early)))).toEqual(
      refusedWith('GPU_FWID_MISMATCH'),
    )
  })

  it.each(['report/fwid-missing', 'leaf-fwid-absent'] as const)('is always there on Blackwell: %s', async (wrong) => {
    expect(verdictOf(await judgeGpu(faultyMachine(wrong, ONE_BLACKWELL)))).toEqual(refusedWith('GPU_FWID_MISSING'))
  })

  it.each(['report/fwid-mismatch', 'leaf-fwid-other'] as const)('is compared on Blackwell: %s', async (wrong) => {
    expect(verdictOf(await judgeGpu(faultyMachine(wrong, ONE_BLACKWELL)))).toEqual(refusedWith('GPU_FWID_MISMATCH'))
  })
})

function machineSpec(driverVersion: string) {
  return { ...ONE_BLACKWELL, architecture: 'hopper', driverVersion, vbiosVersion: '96.00.5E.00.01' } as const
}
