Scenario: A secret number reaches the bank and is kept nowhere
  The flow asks for a secret number and sends it to the bank's service. It stands in nothing that is kept of the call, and
  keys that are typed beyond it count nowhere.

  Given a service Bank
  And a flow Account reached by the number +49303000
  And the flow Account asks "Your secret number, please." privately for a number of 6 keys, sends it to the service Bank and says "You are known as {answer}."
  When Carla calls +49303000
  And Carla presses 864
  Then Carla hears nothing
  When Carla presses 20975
  Then Bank is sent the number 864209 and nothing that is kept says it
  When Bank answers "Carla" to the flow
  Then Carla hears the text "You are known as Carla."
