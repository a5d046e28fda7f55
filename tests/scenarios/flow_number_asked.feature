Scenario: A flow asks for a number and says it again
  Too few keys are asked for again.

  Given a flow Account reached by the number +49303000
  And the flow Account asks "Your customer number, please." for a number of 4 keys and says "You are customer {answer}."
  When Carla calls +49303000
  And Carla presses 12#
  Then Carla hears the text "Your customer number, please."
  When Carla presses 0042
  Then Carla hears the text "You are customer 0042."
