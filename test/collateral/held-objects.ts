import { requestKey } from '../../src/collateral/cache/key.ts'
import type { CollateralRequest, FetchedObject } from '../../src/collateral/objects.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { toHex } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import { decodeCertificate } from '../../src/core/x509/certificate.ts'
import { type AmdMachine, type NvidiaMachine, pcsAnswers, pem, type TdxMachine } from '../../src/testing/index.ts'
import { NOW } from '../reject/stage.ts'

const object = (request: CollateralRequest, ...files: readonly (readonly [string, Uint8Array])[]): FetchedObject => ({
  request,
  files: files.map(([name, bytes]) => ({ name, bytes })),
  fetchedAt: NOW,
})

/** What AMD's key service has about a machine: the certificate of its chip, the authorities, the list. */
export function amdObjects(machine: AmdMachine): readonly FetchedObject[] {
  const { product, chipId, tcb } = machine
  const hwid = toHex(chipId.subarray(0, product === 'Turin' ? 8 : 64))
  const levels = { fmc: tcb.fmc ?? 0, bootloader: tcb.bl, tee: tcb.tee, snp: tcb.snp, microcode: tcb.ucode }
  return [
    object({ kind: 'amd-vcek', product, hwid, tcb: levels }, ['vcek.der', machine.vek]),
    object({ kind: 'amd-chain', product, key: 'vcek' }, ['chain.pem', utf8(pem([machine.intermediate, machine.ark]))]),
    object({ kind: 'amd-crl', product, key: 'vcek' }, ['vcek.crl', machine.crl]),
  ]
}

/** What Intel's service has about a platform, each answer with the chain of its header. */
export function intelObjects({ collateral: of }: Pick<TdxMachine, 'collateral'>): readonly FetchedObject[] {
  const tee = of.tee === 'TDX' ? 'tdx' : 'sgx'
  const requests: readonly CollateralRequest[] = [
    { kind: 'intel-tcb-info', tee, fmspc: of.fmspc, update: 'standard' },
    { kind: 'intel-qe-identity', tee, update: 'standard' },
    { kind: 'intel-pck-crl', ca: of.ca },
    { kind: 'intel-root-crl' },
  ]
  return pcsAnswers(of).map(({ body, headers }, i) => {
    const chains = Object.entries(headers).map(([name, chain]) => ['chain', utf8(`${name}: ${chain}\n`)] as const)
    return object(requests[i] ?? { kind: 'intel-root-crl' }, ['answer', body], ...chains)
  })
}

/** Manifests, and the OCSP answers about the certificates of devices and manifests. */
export function nvidiaObjects(machine: NvidiaMachine): readonly FetchedObject[] {
  const rims = [machine.driverRim, machine.vbiosRim].map(({ id, bytes }) =>
    object({ kind: 'nvidia-rim', id }, [`${id}.xml`, bytes]),
  )
  return [...rims, ...ocspObjects(machine)]
}

export function ocspObjects({ gpus, driverRim, vbiosRim, ocspResponses }: NvidiaMachine): readonly FetchedObject[] {
  const issued = [...gpus.map((g) => g.device.certificates), driverRim.chain.certificates, vbiosRim.chain.certificates]
    .flatMap((certificates) => Object.values(certificates))
    .filter((c) => c.issuer !== undefined)
  const answers = new Map<string, FetchedObject>()
  for (const certificate of issued) {
    const request = {
      kind: 'nvidia-ocsp',
      certificate: certificate.der,
      issuer: certificate.issuer?.der ?? certificate.der,
    } as const
    const { serial } = take(decodeCertificate(certificate.der, 'certificate'))
    const answer = ocspResponses.find((r) => toHex(r.der).includes(serial))
    if (answer !== undefined) answers.set(requestKey(request), object(request, ['answer.ocsp', answer.der]))
  }
  return [...answers.values()]
}
