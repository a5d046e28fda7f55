Scenario: A closed queue says so and lets go, but serves who waits
  A supervisor closes the queue; the next caller hears a message, the one who waits is served.

  Given a queue Support with the number +49301000
  And Support says "We are closed." when it is closed
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Dora calls +49301000
  And Sam closes Support because of training
  And Emil calls +49301000
  Then Emil hears the text "We are closed."
  When Emil hears it to the end
  Then Emil has left
  When Carla hangs up
  Then Anna's telephone rings
  When Anna answers
  Then Anna and Dora hear each other
  When Sam opens Support
  And Frida calls +49301000
  Then Frida waits in Support
