Scenario: Everybody is told of an outage
  A supervisor sets a notice; who waits hears it at once, who comes hears it first.

  Given a queue Support with the number +49301000
  When Carla calls +49301000
  And Sam tells everybody in Support "We know of the outage."
  Then Carla hears the text "We know of the outage."
  When Dora calls +49301000
  Then Dora hears the text "We know of the outage."
