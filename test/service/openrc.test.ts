import { openrc } from './host/kinds.ts';
import { testService } from './suite.ts';

testService(openrc('trixie'));
