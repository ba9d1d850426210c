/** Ends a transaction of an applier that was overtaken, wherever it stands in what was sent together. */
export const fence = `
CREATE FUNCTION isthmus.fence(overtaken bigint) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF overtaken <> 0 THEN
    RAISE EXCEPTION '% positions were moved by somebody else', overtaken USING ERRCODE = 'IS001';
  END IF;
END
$$;
`;
