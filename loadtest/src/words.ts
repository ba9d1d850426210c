/**
 * The words that product records are made of. What crosses the link is compressed, so the words decide the ratio:
 * they are ordinary ones of a shop, several hundred, and are drawn with the frequent ones more often than the rare,
 * as in real text.
 */
export const words: readonly string[] = `
the with for and new set large small black white classic modern steel wooden cotton light blue green red grey brass
kitchen garden travel office outdoor compact heavy soft warm natural organic recycled washable foldable portable
cordless adjustable double single mini round square long short deep wide thin thick smooth matt polished brushed
lamp table chair shelf drawer cabinet mirror carpet curtain blanket pillow towel basket bottle bowl plate cup mug
kettle toaster blender grinder scale knife board pan pot lid tray jar rack hook hanger ladder hammer drill screw
bolt spanner plier saw tape brush roller paint glue rope chain lock key bell clock watch strap buckle belt wallet
bag backpack suitcase tent lantern torch stove cooler hammock compass map notebook pen pencil ruler stapler folder
envelope stamp paper printer cable charger adapter battery speaker headphone microphone keyboard mouse monitor stand
camera lens tripod filter frame album poster candle vase planter seed soil shovel rake hose sprinkler fence gate
bench umbrella parasol grill skewer apron glove boot shoe sandal slipper sock shirt jacket coat scarf hat cap helmet
bicycle saddle pedal pump tyre tube bracket mount axle wheel bearing spring valve gasket washer pipe elbow nozzle
tap sink drain plug switch socket fuse lamp bulb sensor timer thermostat radiator fan heater cooler vent duct panel
tile plank beam brick cement plaster sand gravel stone marble granite slate glass mirror acrylic rubber leather wool
linen silk velvet denim canvas felt fleece nylon bamboo cork rattan oak pine walnut birch maple ash teak cedar spruce
apple pear cherry plum lemon orange peach apricot berry raisin walnut almond hazelnut honey syrup vinegar oil salt
pepper cumin ginger thyme basil parsley oregano saffron vanilla cinnamon cocoa coffee tea bread flour oats rice
lentil bean pea tomato onion garlic carrot potato cabbage spinach pumpkin mushroom cheese butter cream yoghurt milk
northern southern eastern western coastal alpine island harbour valley river meadow forest summit canyon prairie
autumn winter spring summer morning evening midnight weekend holiday festival anniversary limited edition heritage
signature premium everyday essential starter family junior senior professional workshop studio atelier craftsman
handmade stitched woven knitted printed embossed engraved painted glazed fired forged cast moulded pressed turned
`
  .trim()
  .split(/\s+/);

export const conditions: readonly string[] = [
  'in stock',
  'in stock, few left',
  'sold out',
  'back in stock soon',
  'ships tomorrow',
  'ships within a week',
  'on order',
  'made to order',
  'reserved',
  'clearance',
];
