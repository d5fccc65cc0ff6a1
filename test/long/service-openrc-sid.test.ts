import { openrc } from '../service/host/kinds.ts';
import { testService } from '../service/suite.ts';

// The OpenRC of sid is the nearest to Gentoo's. What sid holds changes every day, and not every
// mirror has it.
testService(openrc('sid'), { optional: true });
