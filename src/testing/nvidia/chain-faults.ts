import { ext } from '../pki/certificate.ts'
import { nul } from '../pki/der.ts'
import { must, seededBytes } from './bytes.ts'
import type { DeviceRole, DeviceSpec, NvidiaDevice } from './device-pki.ts'
import type { Fault, MachineFault } from './fault.ts'
import type { CertificateEdit } from './issue.ts'
import { type GpuPlan, lastGpu } from './machine-edits.ts'
import type { MachinePlan } from './machine-plan.ts'
import { createNvidiaTestPki } from './pki.ts'

const shownChain = (
  what: string,
  row: string,
  choose: (device: NvidiaDevice) => readonly Uint8Array[],
): Fault<MachinePlan> => ({
  what,
  row,
  apply: lastGpu((gpu) => ({ ...gpu, chain: choose })),
})

const device = (
  what: string,
  row: string | undefined,
  change: (device: DeviceSpec) => Partial<DeviceSpec>,
): Fault<MachinePlan> => ({
  what,
  ...(row !== undefined && { row }),
  apply: lastGpu((gpu) => ({ ...gpu, device: { ...gpu.device, ...change(gpu.device) } })),
})

const certificate = (
  what: string,
  row: string | undefined,
  role: DeviceRole,
  edit: CertificateEdit,
): Fault<MachinePlan> => device(what, row, () => ({ edit: { [role]: edit } }))

/** The FWID is the last extension of the attestation certificate in every architecture. */
const withoutFwid: CertificateEdit = (spec) => ({ ...spec, extensions: spec.extensions.slice(0, -1) })

const foreign = (plan: MachinePlan) => createNvidiaTestPki(`${plan.pki.seed}/foreign`)

/** Has another key of the device, or of anybody, sign the report. */
function signedBy(gpu: GpuPlan, choose: (made: NvidiaDevice) => NvidiaDevice['attestationKey']): GpuPlan {
  const signer = choose(gpu.pki.device(gpu.device))
  return { ...gpu, report: { ...gpu.report, spdm: { ...gpu.report.spdm, signer } } }
}

/** What can be wrong in a device's certificate chain. Whatever is signed is signed by the key its fault leaves it. */
export const CHAIN_FAULTS = {
  'chain-without-root': shownChain('the root missing', 'RJ-GPU-25', ({ chain }) => chain.slice(0, -1)),
  'chain-without-identity': shownChain('the identity certificate missing', 'RJ-GPU-27', ({ chain }) =>
    chain.toSpliced(1, 1),
  ),
  'chain-root-only': shownChain('the root alone', 'RJ-GPU-27', ({ chain }) => chain.slice(-1)),
  'chain-leaf-only': shownChain('the attestation certificate alone', 'RJ-GPU-27', ({ chain }) => chain.slice(0, 1)),
  'chain-six': shownChain('the root twice', 'RJ-GPU-27', ({ chain }) => [...chain, ...chain.slice(-1)]),
  'chain-reversed': shownChain('root first', 'RJ-GPU-27', ({ chain }) => chain.toReversed()),
  'chain-swapped': shownChain(
    'provisioner and architecture in each other’s places',
    'RJ-GPU-27',
    ({ chain: [leaf, identity, provisioner, architecture, root] }) =>
      [leaf, identity, architecture, provisioner, root].map((der) => must(der, 'certificate')),
  ),
  'chain-empty': shownChain('no certificate', 'RJ-GPU-27', () => []),
  'chain-of-another': {
    what: 'the chain of another device of the same hierarchy',
    row: 'RJ-GPU-11',
    apply: lastGpu((gpu) => ({
      ...gpu,
      chain: () => gpu.pki.device({ architecture: gpu.device.architecture, label: 'another' }).chain,
    })),
  },
  'chain-foreign': {
    what: 'a consistent device under a foreign root of the same name',
    row: 'RJ-GPU-25',
    apply: lastGpu((gpu, all) => ({ ...gpu, pki: foreign(all) })),
  },
  'chain-foreign-root-swapped': {
    what: 'a foreign device with the genuine root in the last place',
    row: 'RJ-GPU-25',
    apply: lastGpu((gpu, all) => ({
      ...gpu,
      pki: foreign(all),
      chain: ({ chain }) => [...chain.slice(0, -1), all.pki.roots.device],
    })),
  },
  'identity-signs': {
    what: 'signed by the identity key, whose certificate leads a chain of four',
    row: 'RJ-GPU-27',
    apply: lastGpu((gpu) => ({ ...signedBy(gpu, (made) => made.identityKey), chain: ({ chain }) => chain.slice(1) })),
  },
  'identity-signs-five': {
    what: 'signed by the identity key, whose certificate stands twice so that there are five',
    row: 'RJ-GPU-27',
    apply: lastGpu((gpu) => ({
      ...signedBy(gpu, (made) => made.identityKey),
      chain: ({ chain }) => [...chain.slice(1, 2), ...chain.slice(1)],
    })),
  },
  'switch-signs': {
    what: 'a switch’s attestation key signs the GPU report, under the switch’s chain',
    row: 'RJ-GPU-16',
    apply: lastGpu((gpu) => {
      const impostor = gpu.pki.device({
        architecture: 'ls10',
        label: 'impostor',
        fwid: gpu.pki.device(gpu.device).fwid,
      })
      return { ...signedBy(gpu, () => impostor.attestationKey), chain: () => impostor.chain }
    }),
  },
  'leaf-fwid-other': {
    what: 'the report’s FWID is not the certified one',
    row: 'RJ-GPU-22',
    apply: lastGpu((gpu, all) => {
      const certified = seededBytes(all.pki.seed, 'fwid/other', 48)
      const shown = gpu.pki.device(gpu.device).fwid
      return {
        ...gpu,
        device: { ...gpu.device, fwid: certified },
        report: { ...gpu.report, opaque: (fields) => fields.map((f) => (f.type === 20 ? { ...f, data: shown } : f)) },
      }
    }),
  },
  'leaf-fwid-absent': certificate('no FWID in the attestation certificate', 'RJ-GPU-22', 'attestation', withoutFwid),
  'leaf-fwid-key': {
    needs: 'Hopper',
    ...device(
      'the composite device identity names another key than the identity’s',
      'RJ-GPU-22',
      ({ architecture }) => {
        if (architecture === 'blackwell')
          throw new TypeError('Blackwell certificates name no identity key beside the FWID')
        return { fwidSpki: createNvidiaTestPki('fwid-key').device({ architecture, label: 'other' }).identityKey.spki }
      },
    ),
  },
  'leaf-is-ca': certificate('the attestation certificate is a CA’s', 'RJ-X5-04', 'attestation', (spec) => ({
    ...spec,
    extensions: [ext.basicConstraints(true), ...spec.extensions],
  })),
  'leaf-key-usage': certificate('the attestation certificate may not sign', 'RJ-X5-06', 'attestation', (spec) => ({
    ...spec,
    extensions: [ext.keyUsage(['keyAgreement']), ...spec.extensions.slice(1)],
  })),
  'leaf-critical-extension': certificate(
    'an unknown critical extension in the attestation certificate',
    'RJ-X5-08',
    'attestation',
    (spec) => ({
      ...spec,
      extensions: [
        ...spec.extensions.slice(0, -1),
        ext.custom('1.3.6.1.4.1.5703.1', nul(), true),
        ...spec.extensions.slice(-1),
      ],
    }),
  ),
  'leaf-signature': certificate(
    'one bit of the attestation certificate’s signature turned over',
    undefined,
    'attestation',
    (spec) => ({
      ...spec,
      tamperSignature: true,
    }),
  ),
  'leaf-expired': certificate('the attestation certificate has expired', 'RJ-X5-07', 'attestation', (spec) => ({
    ...spec,
    notAfter: '2022-01-01T00:00:00Z',
  })),
  'leaf-not-yet-valid': certificate(
    'the attestation certificate is not valid yet',
    'RJ-X5-07',
    'attestation',
    (spec) => ({
      ...spec,
      notBefore: '2090-01-01T00:00:00Z',
    }),
  ),
  'identity-not-ca': certificate('the identity certificate is no CA’s', 'RJ-X5-02', 'identity', (spec) => ({
    ...spec,
    extensions: [ext.basicConstraints(false), ...spec.extensions.slice(1)],
  })),
  'provisioner-key-usage': certificate(
    'the provisioner may not sign certificates',
    'RJ-X5-06',
    'provisioner',
    (spec) => ({
      ...spec,
      extensions: [...spec.extensions.slice(0, 1), ext.keyUsage(['cRLSign']), ...spec.extensions.slice(2)],
    }),
  ),
  'provisioner-path-length': certificate(
    'the provisioner’s path length allows no CA below',
    'RJ-X5-03',
    'provisioner',
    (spec) => ({
      ...spec,
      extensions: [ext.basicConstraints(true, 0), ...spec.extensions.slice(1)],
    }),
  ),
} as const satisfies Record<string, MachineFault<MachinePlan>>
