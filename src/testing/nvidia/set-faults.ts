import { flipBit, must, seededBytes } from './bytes.ts'
import type { MachineFault } from './fault.ts'
import { changeLast, gpuReport, lastGpu, lastSwitch, otherPdi, switchReport } from './machine-edits.ts'
import { linksTo, type MachinePlan } from './machine-plan.ts'

const otherThan = (taken: string, choice: string, substitute: string): string =>
  taken === choice ? substitute : choice

/** What can be wrong in a set of devices; every report and chain by itself is right. */
export const SET_FAULTS = {
  'gpu-none': { what: 'no GPU at all', row: 'RJ-GPU-01', apply: (plan) => ({ ...plan, gpus: [] }) },
  'gpu-missing': {
    what: 'one GPU fewer',
    row: 'RJ-GPU-02',
    apply: (plan) => ({ ...plan, gpus: plan.gpus.slice(0, -1) }),
  },
  'gpu-extra': {
    what: 'one GPU more',
    row: 'RJ-GPU-02',
    apply: (plan) => {
      const last = must(plan.gpus.at(-1), 'GPU')
      const pdi = otherPdi(plan, 'gpu-extra')
      return { ...plan, gpus: [...plan.gpus, { ...last, device: { ...last.device, label: 'gpu-extra', pdi } }] }
    },
  },
  'gpu-repeated': {
    what: 'the first GPU’s report in the last place too',
    row: 'RJ-GPU-03',
    needs: 'two GPUs',
    apply: (plan) => ({ ...plan, gpus: changeLast(plan.gpus, () => must(plan.gpus[0], 'GPU')) }),
  },
  'gpu-repeated-anew': {
    what: 'the first GPU answers a second time, in the last place',
    row: 'RJ-GPU-03',
    needs: 'two GPUs',
    apply: (plan) => {
      const first = must(plan.gpus[0], 'GPU')
      const responderNonce = seededBytes(plan.pki.seed, 'responder/second answer', 32)
      return { ...plan, gpus: changeLast(plan.gpus, () => ({ ...first, report: { ...first.report, responderNonce } })) }
    },
  },
  'gpu-all-one': {
    what: 'the first GPU’s report in every place',
    row: 'RJ-GPU-03',
    needs: 'two GPUs',
    apply: (plan) => ({ ...plan, gpus: plan.gpus.map(() => must(plan.gpus[0], 'GPU')) }),
  },
  'gpu-other-board': {
    what: 'the last GPU belongs to another board and answered the same challenge',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: (plan) => {
      const switches = [0, 1, 2, 3].map((i) => otherPdi(plan, `switch-${i}`))
      const changed = lastGpu((gpu) => ({
        ...gpu,
        device: { ...gpu.device, label: 'gpu-other-board', pdi: otherPdi(plan, 'gpu') },
      }))(plan)
      return plan.switches.length === 0 ? changed : gpuReport(() => ({ switchPdis: linksTo(switches) }))(changed)
    },
  },
  'identity-shared': {
    what: 'two attestation keys under one identity',
    row: 'RJ-GPU-03',
    needs: 'two GPUs',
    apply: (plan) => {
      const first = must(plan.gpus[0], 'GPU').device
      return lastGpu((gpu) => ({
        ...gpu,
        device: { ...gpu.device, ...(first.pdi && { pdi: first.pdi }), identityLabel: first.label },
      }))(plan)
    },
  },
  'nonce-mixed': {
    what: 'the last GPU answered another challenge',
    row: 'RJ-GPU-05',
    apply: gpuReport(({ nonce }) => ({ nonce: flipBit(nonce, 0) })),
  },
  'mode-mixed': {
    what: 'the last GPU is in another mode',
    row: 'RJ-GPU-12',
    needs: 'two GPUs',
    apply: gpuReport(({ featureFlag }) => ({ featureFlag: featureFlag === 'spt' ? 'mpt' : 'spt' })),
  },
  'driver-mixed': {
    what: 'the last GPU runs another driver',
    needs: 'two GPUs',
    apply: gpuReport(({ driverVersion }) => ({ driverVersion: otherThan(driverVersion, '550.54.14', '550.54.15') })),
  },
  'vbios-mixed': {
    what: 'the last GPU runs another VBIOS',
    needs: 'two GPUs',
    apply: gpuReport(({ vbiosVersion }) => ({
      vbiosVersion: otherThan(vbiosVersion, '96.00.5E.00.01', '96.00.5E.00.02'),
    })),
  },
  'switch-missing': {
    what: 'one switch fewer',
    row: 'RJ-GPU-13',
    needs: 'switches',
    apply: (plan) => ({ ...plan, switches: plan.switches.slice(0, -1) }),
  },
  'switch-repeated': {
    what: 'the first switch’s report in the last place too',
    row: 'RJ-GPU-13',
    needs: 'switches',
    apply: (plan) => ({ ...plan, switches: changeLast(plan.switches, () => must(plan.switches[0], 'switch')) }),
  },
  'switch-extra': {
    what: 'one switch more, which no GPU sees',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: (plan) => {
      const last = must(plan.switches.at(-1), 'switch')
      const extra = { ...last, device: { ...last.device, label: 'switch-extra', pdi: otherPdi(plan, 'switch-extra') } }
      return { ...plan, switches: [...plan.switches, extra] }
    },
  },
  'switch-unknown': {
    what: 'the last GPU is linked to a switch that is not in the set',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: gpuReport(({ switchPdis }, plan) => ({
      switchPdis: must(switchPdis, 'link table').with(0, otherPdi(plan, 'switch-unknown')),
    })),
  },
  'switch-unlinked': {
    what: 'the last GPU has no link to the last switch',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: gpuReport(({ switchPdis }, plan) => {
      const gone = must(must(plan.switches.at(-1), 'switch').device.pdi, 'PDI').join()
      return {
        switchPdis: must(switchPdis, 'link table').map((pdi) => (pdi.join() === gone ? new Uint8Array(8) : pdi)),
      }
    }),
  },
  'switch-identity': {
    what: 'the last switch reports the PDI the GPUs see, and is certified for another',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: lastSwitch((plan, all) => ({
      ...plan,
      device: { ...plan.device, pdi: otherPdi(all, 'switch-identity') },
      report: { ...plan.report, ...(plan.device.pdi && { pdi: plan.device.pdi }) },
    })),
  },
  'switch-pdi': {
    what: 'the last switch reports a PDI no GPU sees',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: switchReport((_, plan) => ({ pdi: otherPdi(plan, 'switch-pdi') })),
  },
  'switch-gpu-unknown': {
    what: 'the last switch sees a GPU that is not in the set',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: switchReport(({ gpuPdis }, plan) => ({ gpuPdis: changeLast(gpuPdis, () => otherPdi(plan, 'gpu-unknown')) })),
  },
  'switch-gpu-repeated': {
    what: 'the last switch sees one GPU twice',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: switchReport(({ gpuPdis }) => ({ gpuPdis: changeLast(gpuPdis, () => must(gpuPdis[0], 'PDI')) })),
  },
  'gpu-identity': {
    what: 'the switches see the PDI of a GPU whose certificate says another',
    row: 'RJ-GPU-14',
    needs: 'switches',
    apply: lastGpu((gpu, all) => ({ ...gpu, device: { ...gpu.device, pdi: otherPdi(all, 'gpu-identity') } })),
  },
  'switch-unlocked': {
    what: 'the last switch is not locked',
    needs: 'switches',
    apply: switchReport(() => ({ lockStatus: 0 })),
  },
  'switch-position-repeated': {
    what: 'two switches at one position',
    needs: 'switches',
    apply: switchReport(() => ({ position: 0 })),
  },
  'switch-nonce': {
    what: 'the last switch answered another challenge',
    row: 'RJ-GPU-05',
    needs: 'switches',
    apply: switchReport(({ nonce }) => ({ nonce: flipBit(nonce, 0) })),
  },
} as const satisfies Record<string, MachineFault<MachinePlan>>
