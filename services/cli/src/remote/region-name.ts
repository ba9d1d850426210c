/** How a region may be named. */
export const regionName = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
