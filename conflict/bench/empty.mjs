/** As good as nothing: what the loader takes for a module of one constant. */
export const nothing = null;
