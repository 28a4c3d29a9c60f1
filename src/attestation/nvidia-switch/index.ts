export { switchRimSlots } from './collateral.ts'
export { decodeSwitchReport, type SwitchReport } from './decode.ts'
export { nvidiaSwitch } from './verify.ts'
