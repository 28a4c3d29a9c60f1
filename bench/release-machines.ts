import { deviceNonceFor, reportDataFor } from '../src/collect/answers.ts'
import { bundleOf } from '../src/collect/bundle.ts'
import type { EvidencePart } from '../src/collect/collector.ts'
import { utf8 } from '../src/core/bytes.ts'
import { take } from '../src/core/outcome.ts'
import type { Judge } from '../src/gate/ports.ts'
import { prepareCollateral } from '../src/index.ts'
import type { ReleaseRequest } from '../src/release/index.ts'
import { cpuMachineOf, leaseId, nonceOf, orderOf } from '../test/gate/support.ts'
import { gpus, loneGpu, nvidiaCollateral, policyOf } from '../test/reject/stage.ts'
import { GPU_KEY_DOCUMENT, KEY, LIMITLESS, ONE, SECRET, spkiOf, testBroker, X25519 } from '../test/release/support.ts'
import type { Machine } from './release.ts'

const prepared = async (files: readonly Uint8Array[]) =>
  (await prepareCollateral(files.map((bytes, i) => ({ name: `${i}`, bytes })))).collateral

/** A broker that knows a machine's lease and key, and requests of that machine. */
export const machine = (kind: Machine, judge: Judge) => (kind === 'SNP' ? cpuMachine(judge) : gpuMachine(judge))

async function cpuMachine(judge: Judge) {
  const collateral = await prepared([cpuMachineOf(new Uint8Array(64)).crl])
  const { request, broker, store } = await testBroker({ judge, gate: { collateral: async () => collateral } })
  return { request: () => request(), broker, store }
}

async function gpuMachine(judge: Judge) {
  const policy = policyOf(GPU_KEY_DOCUMENT)
  const { ocsp } = loneGpu('bench')
  const collateral = await prepared([cpuMachineOf(new Uint8Array(64)).crl, ...nvidiaCollateral(gpus()), ...ocsp])
  const { gate, admin, broker, store } = await testBroker({
    ...{ judge, isEmpty: true, gate: { collateral: async () => collateral } },
  })
  const lease = leaseId()
  await gate.gate.openLease({ lease, order: orderOf({ units: 1 }), policy, hostData: null })
  take(await admin.register({ ...KEY, secret: SECRET, policy, limits: LIMITLESS }, ONE))
  const spki = spkiOf(X25519.publicKey)
  const request = async (): Promise<ReleaseRequest> => {
    const record = await gate.gate.issueChallenge({ purpose: 'key-release', lease, policy, teeKey: spki })
    const question = { nonce: nonceOf(record), key: spki, binding: 'composite' as const }
    const { report, chainPem } = loneGpu('bench', {}, { nonce: await deviceNonceFor(question) })
    const gpu: EvidencePart = { id: 'gpu-0', format: 'nvidia/gpu-report', data: report, certs: [utf8(chainPem)] }
    const { report: data, table } = cpuMachineOf(await reportDataFor(question, [gpu]))
    const cpu: EvidencePart = { id: 'cpu', format: 'amd/snp-report', data, certs: [table] }
    const proof = {
      kind: 'challenge' as const,
      challengeId: record.id,
      lease,
      evidence: bundleOf([gpu, cpu], question),
    }
    return { ...KEY, proof, wrapKey: spki, format: 'hpke' }
  }
  return { request, broker, store }
}
